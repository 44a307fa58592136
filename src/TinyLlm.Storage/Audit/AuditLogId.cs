using System.Diagnostics.CodeAnalysis;

namespace TinyLlm.Storage;

/// <summary>Which audit log: a user's, or the operator's.</summary>
public readonly record struct AuditLogId
{
    private const string OperatorName = "operator";
    private const string UserPrefix = "user-";

    private AuditLogId(string name) => Name = name;

    /// <summary>The operator's log.</summary>
    public static AuditLogId Operator { get; } = new(OperatorName);

    /// <summary>As it stands in every entry and in the store.</summary>
    public string Name { get; }

    /// <summary>A user's log.</summary>
    public static AuditLogId Of(UserId user) => new(UserPrefix + user.Value);

    public static bool TryParse([NotNullWhen(true)] string? text, out AuditLogId id)
    {
        bool valid = text == OperatorName || (text?.StartsWith(UserPrefix, StringComparison.Ordinal) == true && UserId.TryParse(text[UserPrefix.Length..], out _));
        id = valid ? new AuditLogId(text!) : default;
        return valid;
    }

    public override string ToString() => Name;
}
