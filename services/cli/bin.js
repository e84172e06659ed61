#!/usr/bin/env node
// Plain JavaScript that every Node can read, to say in words what an old one would only fail at.
var wanted = [24, 12];
var found = process.versions.node.split('.').map(Number);

if (found[0] > wanted[0] || (found[0] === wanted[0] && found[1] >= wanted[1])) {
  // Compiled code is kept between runs, here and in the programs started from here: a third less to do at each start.
  var cache = new URL('../../node_modules/.cache/dualhome', import.meta.url).pathname;
  process.env.NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE || cache;
  (await import('node:module')).enableCompileCache(process.env.NODE_COMPILE_CACHE);
  await import('./main.ts');
} else {
  console.error(
    'dualhome needs Node ' +
      wanted.join('.') +
      ' or later; this is ' +
      process.version +
      '.\n' +
      'Run it as `npx dualhome` or `npm start` in the project: `npm ci` has put the right Node there.',
  );
  process.exitCode = 2;
}
