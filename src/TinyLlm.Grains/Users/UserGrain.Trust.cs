using TinyLlm.Grains.Trust;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <content>Whose signatures of models the user trusts.</content>
internal sealed partial class UserGrain
{
    private readonly TrustBook _trust = new(limits.Value, time);

    public Task<TrustPolicy> GetTrust()
    {
        RequireUser();
        return Task.FromResult(TrustBook.Describe(state.State));
    }

    public async Task<TrustedKey> AddTrustedKey(string name, string pem)
    {
        RequireUser();
        TrustedKey key = _trust.Add(state.State, name, pem);
        await SaveAsync(Event(AuditAction.TrustedKeyAdded, key.Id, ("name", name)));
        return key;
    }

    public async Task RemoveTrustedKey(string id)
    {
        RequireUser();
        TrustBook.Remove(state.State, id);
        await SaveAsync(Event(AuditAction.TrustedKeyRemoved, id));
    }

    public async Task<TrustPolicy> RequireTrustedSignature(bool required)
    {
        RequireUser();
        state.State.RequireTrustedSignature = required;
        await SaveAsync(Event(AuditAction.SignaturePolicyChanged, User.Value, ("require_trusted_signature", required ? "true" : "false")));
        return TrustBook.Describe(state.State);
    }
}
