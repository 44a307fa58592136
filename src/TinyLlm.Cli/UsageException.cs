namespace TinyLlm.Cli;

/// <summary>The command line or a local file is wrong. The message is for the user: what, value, remedy.</summary>
internal sealed class UsageException(string message) : Exception(message);
