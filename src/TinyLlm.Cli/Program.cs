using TinyLlm.Cli;
using TinyLlm.Cli.Terminal;

using Interrupts interrupts = Interrupts.OfProcess();
return await CommandLine.RunAsync(args, CliContext.OfProcess(interrupts));
