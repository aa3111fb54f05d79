#!/usr/bin/env bash
# `npm run demo`: installs what is missing, then runs scripts/demo.ts, which shows the whole way from TypeScript to answers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh
exec node --import tsx scripts/demo.ts "$@"
