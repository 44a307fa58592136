using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using TinyLlm.Grains.Access;

namespace TinyLlm.Host.Access;

/// <summary>Sign-in by a provider outside (OpenID Connect, Entra ID): JWTs of one issuer for one audience are taken as bearer tokens.</summary>
internal sealed class OidcOptions : IValidatableObject
{
    /// <summary>The issuer's address, below which its discovery document lies. Default none: only tokens of this host are accepted.</summary>
    public string? Issuer { get; set; }

    /// <summary>What "aud" must name. Required with an issuer: a token for another application is not for this host.</summary>
    public string? Audience { get; set; }

    /// <summary>The claim that names the user, by the name that the user has on this host. Default "sub".</summary>
    [Required]
    public string UserClaim { get; set; } = "sub";

    /// <summary>The claim with the scopes, separated by spaces or as a list; other words in it are passed over. Default "scope"; Entra's is "scp".</summary>
    [Required]
    public string ScopeClaim { get; set; } = "scope";

    /// <summary>What a token without that claim may do: names separated by spaces. Default "read infer".</summary>
    public string DefaultScopes { get; set; } = "read infer";

    /// <summary>Whether a user is made at first sight; otherwise the operator makes it before. Default no.</summary>
    public bool CreateUsers { get; set; }

    /// <summary>Whether discovery may be read over plain http. For tests on loopback.</summary>
    public bool AllowHttpMetadata { get; set; }

    public bool IsEnabled => Issuer is { Length: > 0 };

    /// <summary>The names in <see cref="DefaultScopes"/>.</summary>
    public string[] DefaultScopeNames => DefaultScopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsEnabled && string.IsNullOrEmpty(Audience)) yield return new ValidationResult("Oidc:Audience: must be set when Oidc:Issuer is.");
        if (IsEnabled && !Uri.TryCreate(Issuer, UriKind.Absolute, out _)) yield return new ValidationResult("Oidc:Issuer: must be an absolute address.");
        ImmutableArray<string> known = TokenScopeNames.EveryUserScope.ToNames();
        if (DefaultScopeNames.Except(known).Any()) yield return new ValidationResult($"Oidc:DefaultScopes: must be of {string.Join(", ", known)}, separated by spaces.");
    }
}
