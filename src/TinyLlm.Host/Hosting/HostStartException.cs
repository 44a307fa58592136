namespace TinyLlm.Host.Hosting;

/// <summary>The host can't start for a reason that the operator can mend; the message says which and how.</summary>
internal sealed class HostStartException(string message, Exception? innerException = null) : Exception(message, innerException);
