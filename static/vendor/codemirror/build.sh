#!/usr/bin/env bash
# Makes codemirror.js from editor.js and the pinned packages. Run it after a change of either; the result is committed.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --no-audit --no-fund --loglevel=error
npx --no-install esbuild editor.js --bundle --minify --format=iife --target=es2020 --legal-comments=none --outfile=codemirror.js \
  --banner:js='/* CodeMirror 6 and Lezer, (C) 2018 Marijn Haverbeke and others, MIT License (static/vendor/codemirror/LICENSE); built from editor.js */'
ls -l codemirror.js
