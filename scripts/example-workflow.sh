#!/usr/bin/env bash
# `npm run example:workflow`: installs what is missing, then runs scripts/example-workflow.ts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh
exec node --import tsx scripts/example-workflow.ts "$@"
