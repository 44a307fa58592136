using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace TinyLlm.Host.Access;

/// <summary>What an operator may set about who gets in, in the section "TinyLlm:Access".</summary>
internal sealed class AccessOptions
{
    public const string Section = "TinyLlm:Access";

    /// <summary>Failed authentications of one address per minute, and at most at once. Default 600: many scripts with an old token, not a search.</summary>
    [Range(1, 1_000_000)]
    public int FailedAuthenticationsPerMinute { get; set; } = 600;

    /// <summary>Requests without a token of one address per minute, health checks aside. Default 1,200: a page with its files, reloaded.</summary>
    [Range(1, 1_000_000)]
    public int AnonymousRequestsPerMinute { get; set; } = 1_200;

    /// <summary>Bearer tokens of an OpenID Connect provider; without an issuer there are none.</summary>
    [ValidateObjectMembers]
    public OidcOptions Oidc { get; set; } = new();
}
