using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Audit;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Host.Access;

/// <summary>Who sends the request, as the access token says: the operator, or a user.</summary>
internal sealed record Caller
{
    /// <summary>The user, or null for the operator.</summary>
    public UserId? User { get; init; }

    /// <summary>The user's name, or null for the operator.</summary>
    public string? UserName { get; init; }

    /// <summary>What the token may be used for.</summary>
    public required TokenScopes Scopes { get; init; }

    /// <summary>The only models, as "owner/model", that the token may be used with, or null for all.</summary>
    public ImmutableArray<string>? Models { get; init; }

    /// <summary>The credential, as running streams are checked by it; null for the operator.</summary>
    public Bearer? Bearer { get; init; }

    /// <summary>Bounds of the token below its user's, or null for none.</summary>
    public TokenLimits? Limits { get; init; }

    /// <summary>The bearer that a user's grain accepted.</summary>
    public static Caller Of(TokenVerdict verdict) => new()
    {
        User = verdict.User,
        UserName = verdict.UserName,
        Scopes = verdict.Scopes,
        Models = verdict.Models,
        Bearer = new Bearer { TokenId = verdict.TokenId, Serial = verdict.Serial, ExpiresAt = verdict.ExpiresAt },
        Limits = verdict.Limits,
    };

    /// <summary>How audit logs name the caller.</summary>
    public string Actor => User is null ? AuditActor.Admin : Bearer?.TokenId is { } token ? AuditActor.Token(token) : AuditActor.Provider;

    /// <summary>The user; the operator has no models, tokens or limits of its own.</summary>
    public UserId RequireUser() => User ?? throw new RequestException(
        RequestError.ScopeLacking, "The admin token belongs to no user: use a user's access token on this route.");

    /// <summary>The user's name.</summary>
    public string RequireUserName()
    {
        RequireUser();
        return UserName!; // set together with User
    }

    /// <summary>Whether the token's allow-list lets it use this model.</summary>
    public bool MayUse(string owner, string model) => Models is not { } models || models.Contains($"{owner}/{model}");

    /// <summary>Refuses a token that is limited to some models what concerns them all; <paramref name="what"/> begins the sentence that says so.</summary>
    public void RequireEveryModel(string what)
    {
        if (Models is null) return;
        throw new RequestException(RequestError.ScopeLacking, $"{what} is about all of your models, and this token is limited to some: use one that is not.");
    }

    /// <summary>Binds the caller as a parameter of a route's handler; every route but the open ones has one.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext http) =>
        ValueTask.FromResult<Caller?>(http.Features.Get<Caller>() ?? throw new InvalidOperationException("This route was reached without authentication."));
}
