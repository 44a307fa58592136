using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;

namespace TinyLlm.Host.Management;

/// <summary>The operator's bounds for one user. What a request leaves out is the host's default again.</summary>
internal static class QuotaRoutes
{
    public static void MapQuotas(this IEndpointRouteBuilder routes) =>
        routes.MapPut("/api/admin/users/{id}/quota", PutAsync).RequireScope(TokenScopes.Admin).Accepts<QuotaFields>("application/json").Produces<QuotaFields>();

    private static async Task<IResult> PutAsync(string id, HttpContext http, ModelDirectory directory)
    {
        QuotaFields request = await JsonBody.ReadAsync<QuotaFields>(http);
        request.Validate();
        IUserGrain user = await directory.FindUserAsync(id, "user");
        return Results.Json(QuotaFields.Of(await user.SetQuota(request.ToQuota())), JsonBody.Options);
    }
}

/// <summary>A user's bounds on the wire; null is the host's default.</summary>
internal sealed record QuotaFields(
    long? RequestsPerMinute = null,
    long? TokensPerMinute = null,
    int? ConcurrentStreams = null,
    long? StoredBytes = null,
    int? Models = null,
    long? ResidentBytes = null,
    long? TrainingStepsPerDay = null,
    long? PinnedBytes = null)
{
    public static QuotaFields Of(UserQuota quota) => new(
        quota.RequestsPerMinute, quota.TokensPerMinute, quota.ConcurrentStreams, quota.StoredBytes, quota.Models, quota.ResidentBytes, quota.TrainingStepsPerDay,
        quota.PinnedBytes);

    public UserQuota ToQuota() => new()
    {
        RequestsPerMinute = RequestsPerMinute,
        TokensPerMinute = TokensPerMinute,
        ConcurrentStreams = ConcurrentStreams,
        StoredBytes = StoredBytes,
        Models = Models,
        ResidentBytes = ResidentBytes,
        TrainingStepsPerDay = TrainingStepsPerDay,
        PinnedBytes = PinnedBytes,
    };

    public void Validate()
    {
        // A rate of zero would never let anything in and has no time to retry; bytes, models and steps may well be none.
        Require(RequestsPerMinute is null or > 0, "requests_per_minute", 1);
        Require(TokensPerMinute is null or > 0, "tokens_per_minute", 1);
        Require(ConcurrentStreams is null or >= 0, "concurrent_streams", 0);
        Require(StoredBytes is null or >= 0, "stored_bytes", 0);
        Require(Models is null or >= 0, "models", 0);
        Require(ResidentBytes is null or >= 0, "resident_bytes", 0);
        Require(TrainingStepsPerDay is null or >= 0, "training_steps_per_day", 0);
        Require(PinnedBytes is null or >= 0, "pinned_bytes", 0);
    }

    private static void Require(bool holds, string field, int least)
    {
        if (!holds) throw new RequestException(RequestError.Malformed, $"{field}: must be at least {least}, or absent for the host's default.") { Parameter = field };
    }
}
