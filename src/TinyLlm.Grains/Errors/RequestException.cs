namespace TinyLlm.Grains.Errors;

/// <summary>
/// A refused request: a member of <see cref="RequestError"/> and what the caller needs to mend it.
/// The message goes to the caller as it is: name, value, bound and remedy, never a path, a type name or a secret.
/// </summary>
[GenerateSerializer, Alias("tinyllm.RequestException")]
public sealed class RequestException : Exception
{
    public RequestException(RequestError error, string message)
        : base(message) => Error = error;

    /// <summary>Which member of the closed set.</summary>
    [Id(0)]
    public RequestError Error { get; private set; }

    /// <summary>A finer machine-readable code (for instance a SafeTensors rule) where there is one.</summary>
    [Id(1)]
    public string? Detail { get; init; }

    /// <summary>The request's field at fault.</summary>
    [Id(2)]
    public string? Parameter { get; init; }

    /// <summary>The uploaded file at fault: a bare name.</summary>
    [Id(3)]
    public string? FileName { get; init; }

    /// <summary>The tensor at fault.</summary>
    [Id(4)]
    public string? Tensor { get; init; }

    /// <summary>When a repeat may succeed.</summary>
    [Id(5)]
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The one answer for an object that is absent or another's.</summary>
    public static RequestException NotFound(string kind) =>
        new(RequestError.NotFound, $"This {kind} does not exist, or you may not use it.") { Detail = $"{kind}_not_found" };
}
