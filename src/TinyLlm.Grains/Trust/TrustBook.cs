using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Trust;

/// <summary>The rules of whose signatures a user trusts, over the user's state. Verifies nothing itself (<see cref="UploadedSignature"/>).</summary>
internal sealed class TrustBook(UserLimits limits, TimeProvider time)
{
    public static TrustPolicy Describe(UserState state) => new()
    {
        Keys = [.. state.TrustedKeys.Values.OrderBy(key => key.AddedAt).ThenBy(key => key.Id, StringComparer.Ordinal)],
        RequireTrustedSignature = state.RequireTrustedSignature,
    };

    public TrustedKey Add(UserState state, string name, string pem)
    {
        if (!VerifyingKey.TryParsePem(pem, out VerifyingKey? key))
        {
            throw new RequestException(
                RequestError.Malformed, "public_key: must be one public key in PEM form, ECDSA on P-256, P-384 or P-521, and never a private one.") { Parameter = "public_key" };
        }
        if (state.TrustedKeys.TryGetValue(key.Hint, out TrustedKey? known))
            throw new RequestException(RequestError.Conflict, $"public_key: this key is trusted already, as '{known.Name}'.") { Parameter = "public_key" };
        if (state.TrustedKeys.Count >= limits.MaxTrustedKeys)
        {
            throw new RequestException(
                RequestError.QuotaExceeded, $"trusted keys: this user has {state.TrustedKeys.Count}, and {limits.MaxTrustedKeys} is the bound: remove one first.");
        }
        TrustedKey added = new() { Id = key.Hint, Name = name, Pem = key.Pem, AddedAt = time.GetUtcNow() };
        state.TrustedKeys[added.Id] = added;
        return added;
    }

    public static void Remove(UserState state, string id)
    {
        if (!state.TrustedKeys.Remove(id)) throw RequestException.NotFound("trusted_key");
    }

    /// <summary>Whether a key that was trusted at the commit, and is trusted now, signed the files.</summary>
    public static bool IsTrusted(UserState state, SignatureFacts? signature) =>
        signature is { IsVerified: true, Key: { } key } && state.TrustedKeys.ContainsKey(key);

    /// <summary>Refuses to publish what the user's policy does not allow.</summary>
    public static void RefuseUntrusted(UserState state, SignatureFacts? signature)
    {
        if (!state.RequireTrustedSignature || IsTrusted(state, signature)) return;
        throw new RequestException(
            RequestError.ModelInvalid,
            signature is null
                ? "The upload has no model.sig, and you require signatures that you trust: upload one, or change that."
                : "model.sig is not by a key that you trust, and you require that: trust the key, or change that.")
        {
            Detail = signature is null ? "signature_missing" : "signature_untrusted",
            FileName = "model.sig",
        };
    }
}
