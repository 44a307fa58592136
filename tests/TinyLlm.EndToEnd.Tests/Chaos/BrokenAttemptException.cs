namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>A try that a client repeats: no answer, one that says "later", or one that broke off.</summary>
internal sealed class BrokenAttemptException(string message, TimeSpan? retryAfter = null) : Exception(message)
{
    public TimeSpan RetryAfter { get; } = retryAfter ?? TimeSpan.Zero;
}
