/**
 * Of connections whose few statements run all the time. Plans are made once a connection, some while a table is still
 * empty and has no statistics: they must use the key nevertheless. Without the second setting the server plans
 * statements with arrays anew each time, as it takes an array it does not know for longer than most are:
 * a look-up by keys cost it 83 instead of 47 us.
 */
export const steadyPlans = { enable_seqscan: 'off', plan_cache_mode: 'force_generic_plan' };
