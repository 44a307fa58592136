namespace TinyLlm.Cli;

/// <summary>What the process answers to its caller.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The server refused or failed, or could not be reached.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a local file is wrong; nothing was changed on the server.</summary>
    public const int Usage = 2;

    /// <summary>Ended by Ctrl-C or a request to end: the shells' 128 + SIGINT.</summary>
    public const int Interrupted = 130;
}
