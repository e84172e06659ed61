import { CommanderError } from 'commander';
import { createCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';

try {
  await createCommand().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.refused;
}
