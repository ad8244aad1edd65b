/* The nodes of the conformance suite as a module; README.md says how it was compiled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char asked[8 << 20];
static char *volatile kept; /* lets no compiler leave an allocation out */

/* The text of a field of the request, up to a mark; both are not looked at inside of values. */
static const char *after(const char *mark) {
  const char *found = strstr(asked, mark);
  return found ? found + strlen(mark) : "";
}

static int is(const char *name) { return strncmp(after("\"type\":\"wasm."), name, strlen(name)) == 0; }

int main(void) {
  size_t size = fread(asked, 1, sizeof asked - 1, stdin);
  while (size && (asked[size - 1] == '\n' || asked[size - 1] == ' ')) size--;
  asked[size] = 0;
  if (is("echo")) {
    asked[size - 2] = 0; /* the ends of the inputs and of the request */
    printf("{\"output\":%s}\n", after("\"inputs\":{\"value\":"));
  } else if (is("add")) {
    printf("{\"output\":%d}\n", atoi(after("\"first\":")) + atoi(after("\"second\":")));
  } else if (is("fail")) {
    printf("{\"error\":{\"code\":\"BUSY\",\"message\":\"try later\",\"retryable\":false,"
           "\"details\":{\"after\":3}}}\n");
  } else if (is("spin")) {
    for (volatile unsigned long turn = 0;; turn++) {}
  } else if (is("crash")) {
    abort();
  } else if (is("report")) {
    printf("{\"progress\":0.25,\"message\":\"begun\"}\n{\"log\":\"at work\",\"level\":\"warning\"}\n"
           "{\"progress\":0.75}\n{\"output\":\"%.*s\"}\n",
           (int)strcspn(after("\"key\":\""), "\""), after("\"key\":\""));
  } else if (is("grow")) {
    for (size_t count = 1;; count++) {
      char *more = malloc(1 << 20);
      if (!more) {
        printf("{\"output\":%zu}\n", count - 1);
        return 0;
      }
      memset(more, 1, 1 << 20);
      kept = more;
    }
  } else if (is("open")) {
    FILE *file = fopen("/etc/hostname", "r");
    printf("{\"output\":{\"opened\":%s,\"variables\":%s}}\n", file ? "true" : "false",
           getenv("PATH") ? "true" : "false");
  }
  return 0;
}
