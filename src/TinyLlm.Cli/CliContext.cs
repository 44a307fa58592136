using TinyLlm.Cli.Api;
using TinyLlm.Cli.Credentials;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli;

/// <summary>All that a run gets from outside: streams, signals, environment variables, the saved credentials, time.</summary>
internal sealed record CliContext
{
    /// <summary>The program's three streams.</summary>
    public required Screen Screen { get; init; }

    /// <summary>Ctrl-C and the requests to end.</summary>
    public required Interrupts Interrupts { get; init; }

    /// <summary>Reads an environment variable; null when it is not set.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>Where credentials are kept between runs.</summary>
    public required CredentialStore Credentials { get; init; }

    /// <summary>How failed transfers are repeated.</summary>
    public TransferPolicy Transfer { get; init; } = new();

    /// <summary>The clock of waits and rates.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The context of the running process.</summary>
    public static CliContext OfProcess(Interrupts interrupts) => new()
    {
        Screen = Screen.OfProcess(),
        Interrupts = interrupts,
        Variable = Environment.GetEnvironmentVariable,
        Credentials = new CredentialStore(CredentialStore.DefaultFolder(Environment.GetEnvironmentVariable)),
    };
}
