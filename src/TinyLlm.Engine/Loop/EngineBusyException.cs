namespace TinyLlm.Engine;

/// <summary>The device has no room for another sequence now.</summary>
public sealed class EngineBusyException : Exception
{
    /// <summary>With the time after which trying again makes sense.</summary>
    public EngineBusyException(string message, TimeSpan retryAfter) : base(message) => RetryAfter = retryAfter;

    /// <summary>After this, trying again makes sense.</summary>
    public TimeSpan RetryAfter { get; }
}
