namespace TinyLlm.Grains.Audit;

/// <summary>
/// Who acts, as audit entries name it: the process that took the request says so in the call's context. A label, and nothing more: no decision
/// is ever made by it.
/// </summary>
public static class AuditActor
{
    /// <summary>The operator.</summary>
    public const string Admin = "admin";

    /// <summary>A user whom a provider outside vouches for.</summary>
    public const string Provider = "provider";

    /// <summary>The host itself.</summary>
    public const string Host = "host";

    private const string ContextKey = "tinyllm.actor";

    /// <summary>Who acts in the calls that this flow makes.</summary>
    public static string Current
    {
        get => RequestContext.Get(ContextKey) is string { Length: > 0 and <= Storage.AuditEvent.MaxTextLength } actor ? actor : Host;
        set => RequestContext.Set(ContextKey, value);
    }

    /// <summary>The bearer of one of a user's tokens.</summary>
    public static string Token(string tokenId) => $"token:{tokenId}";
}
