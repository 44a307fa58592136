using TinyLlm.Storage;

namespace TinyLlm.Grains.Audit;

/// <summary>Appends to the operator's audit log. There is one; its key is <see cref="Key"/>.</summary>
[Alias("tinyllm.IOperatorLogGrain")]
public interface IOperatorLogGrain : IGrainWithStringKey
{
    /// <summary>The one key.</summary>
    const string Key = "operator";

    /// <summary>Makes an entry durable. Throws <see cref="Errors.RequestException"/> when it can't: then what it tells of must not happen.</summary>
    [Alias("Append")]
    Task Append(AuditEvent told);

    /// <summary>The key that signs entries and receipts, as <see cref="AuditPublicKey.Text"/>.</summary>
    [Alias("GetPublicKey")]
    Task<string> GetPublicKey();
}
