import { spawn } from 'node:child_process';

/** Starts the lifecycle program as a supervisor does, connected by IPC, and shares its standard error with it. */
const program = spawn(process.execPath, [`${import.meta.dirname}/lifecycle-program.ts`, 'serve'], {
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});
program.on('message', (message) => process.stderr.write(`supervisor got ${JSON.stringify(message)}\n`));
