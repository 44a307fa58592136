using TinyLlm.Grains.Access;

namespace TinyLlm.Host.Access;

/// <summary>Metadata of a route: the scope that a token must have. A route without it is refused to everybody, unless it is marked open.</summary>
internal sealed record RequiredScope(TokenScopes Scope)
{
    public string Name => Scope.ToNames()[0];
}

/// <summary>Puts a scope on a route.</summary>
internal static class RequiredScopeExtensions
{
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, TokenScopes scope)
        where TBuilder : IEndpointConventionBuilder
    {
        RequiredScope required = new(scope);
        return builder
            .WithMetadata(required)
            .RequireAuthorization(policy => policy.RequireClaim(BearerAuthentication.ScopeClaim, required.Name));
    }
}
