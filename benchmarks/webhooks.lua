-- What wrk sends: an order with an id of its own in each request, and what it tells at the end.
local prefix, path = os.getenv("WEBHOOK_PREFIX"), os.getenv("WEBHOOK_PATH")
local items = os.getenv("WEBHOOK_ITEMS")
local headers = { ["Content-Type"] = "application/json", ["Host"] = os.getenv("WEBHOOK_HOST") }
local number, threads = 0, 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function request()
  number = number + 1
  local body = string.format('{"id":"%s-%d-%d","items":%s}', prefix, id, number, items)
  return wrk.format("POST", path, headers, body)
end

function done(summary, latency, requests)
  local bad = summary.errors.connect + summary.errors.read + summary.errors.write
  bad = bad + summary.errors.status + summary.errors.timeout
  print(string.format('RESULT {"answered": %d, "bad": %d, "seconds": %f, "p50": %f, "p95": %f, "p99": %f}',
    summary.requests, bad, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
