#!/bin/sh
# Everything a change must pass. Goes on after a failure, so that one run shows all that is wrong.
# Usage: check.sh "COMMAND THAT RUNS A TOOL OF THE ENVIRONMENT"
set -u
run=$1
failed=''
export PYRIGHT_PYTHON_IGNORE_WARNINGS=1

step() {
    name=$1
    shift
    printf '== %s\n' "$name"
    "$@" || {
        failed="$failed $name"
        printf '== %s FAILED\n' "$name"
    }
}

# Two type checkers, each on a core of its own.
begin_mypy() {
    said=$(mktemp)
    $run mypy >"$said" 2>&1 &
    mypy=$!
}

end_mypy() {
    wait "$mypy"
    ended=$?
    cat "$said"
    rm -f "$said"
    return $ended
}

# Measuring coverage takes time of the processor, so what bounds that time is run without.
timed_tests() {
    $run pytest -m timed || again pytest -m timed
}

# Measured tests take two to three times as long. So only those are that by themselves take every
# branch of what is wanted whole, below. Folders and files.
covering='tests/unit/machine tests/unit/drivers tests/unit/conductor tests/integration/conductor'
covering="$covering tests/contract tests/property/test_machine.py tests/acceptance/rules"
covering="$covering tests/simulation/test_fallbacks_in_races.py tests/simulation/test_breakpoints.py"
ours='not campaign and not timed'

measured_tests() {
    rm -f .coverage .coverage.*
    # shellcheck disable=SC2086
    $run coverage run -m pytest -n auto --dist worksteal --durations=10 -m "$ours" $covering ||
        again coverage run -m pytest -m "$ours" $covering
}

tests() {
    others=''
    for place in $covering; do others="$others --ignore=$place"; done
    # shellcheck disable=SC2086
    $run pytest -n auto --dist worksteal --durations=25 -m "$ours" $others tests ||
        again pytest -m "$ours" $others tests
}

# What has failed beside others may have missed a moment because the machine was busy. It has to
# pass by itself, and is named as unsteady: somebody should look why.
again() {
    printf '== again, what failed, one after the other\n'
    $run "$@" --last-failed --last-failed-no-failures none || return
    printf '== unsteady: what failed has passed by itself\n'
}

# Where every branch is taken by some test: how a run moves, fails, is tried again, cancelled and
# undone, and what hooks have to do with it. Patterns of files, with commas.
whole='src/atomiton/machine/*.py'
whole="$whole,src/atomiton/conductor/hooks.py,src/atomiton/conductor/hooks_of_plan.py"
whole="$whole,src/atomiton/drivers/hooked*.py,src/atomiton/drivers/relay.py"
whole="$whole,src/atomiton/drivers/jobs.py,src/atomiton/drivers/masks.py"
whole="$whole,src/atomiton/drivers/recovery.py,src/atomiton/drivers/timers.py"

whole_coverage() {
    $run coverage combine --quiet &&
        $run coverage report --skip-covered --show-missing --fail-under=100 --include="$whole"
}

step format $run ruff format --check .
step lint $run ruff check .
begin_mypy
step pyright $run pyright
step mypy end_mypy
step examples $run python -m tests.integration.interop.fetch
step timed timed_tests
step measured measured_tests
step coverage whole_coverage
step tests tests
step studio sh scripts/studio.sh check "$run"

if [ -n "$failed" ]; then
    printf '\ncheck: failed:%s\n' "$failed"
    exit 1
fi
printf '\ncheck: everything passed\n'
