// Every ten minutes Azurite looks for bytes that no blob refers to. In memory it answers nobody meanwhile, after many writes for minutes; an account in Azure
// never does. Loaded before it, this puts the next time off for longer than any test runs.
require('azurite/dist/src/blob/utils/constants').DEFAULT_GC_INTERVAL_MS = 2 ** 31 - 1;
