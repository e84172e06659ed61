import { checkSteps, runSteps, vitest } from './steps.ts';

runSteps([
  ...checkSteps,
  { name: 'integration', command: vitest('integration') },
  { name: 'system', command: vitest('system') },
  { name: 'fault', command: vitest('fault') },
]);
