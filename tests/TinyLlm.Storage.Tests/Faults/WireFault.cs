namespace TinyLlm.Storage.Tests.Faults;

/// <summary>What happens to one HTTP request to the service.</summary>
public enum WireFault
{
    /// <summary>It goes through.</summary>
    None,

    /// <summary>The connection fails before the request is sent.</summary>
    NoConnection,

    /// <summary>The service answers that it is busy, and does nothing.</summary>
    Busy,

    /// <summary>The service does it, and the connection fails before the answer is there.</summary>
    LostAnswer,

    /// <summary>The service does it, and answers that it failed.</summary>
    FailedAfter,

    /// <summary>Nothing is ever heard of it.</summary>
    Silence,

    /// <summary>The answer's body breaks off in the middle.</summary>
    TornBody,
}
