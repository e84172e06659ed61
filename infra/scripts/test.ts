import { runSteps, staticChecks, tests } from './steps.ts';

await runSteps([staticChecks, [tests()]]);
