using System.Collections.Immutable;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Grains.Access;

/// <summary>What an access token may be used for. The numbers are stored: never change one.</summary>
[Flags]
public enum TokenScopes
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>List and look at one's own objects.</summary>
    Read = 1,

    /// <summary>Generate.</summary>
    Infer = 2,

    /// <summary>Upload, delete, and make tokens.</summary>
    Write = 4,

    /// <summary>Start training.</summary>
    Train = 8,

    /// <summary>Operate the host: users, quotas, silos.</summary>
    Admin = 16,
}

/// <summary>The scopes' names on the wire.</summary>
public static class TokenScopeNames
{
    /// <summary>What a new user's first token may do: everything but operate the host.</summary>
    public const TokenScopes EveryUserScope = TokenScopes.Read | TokenScopes.Infer | TokenScopes.Write | TokenScopes.Train;

    private static readonly ImmutableArray<(string Name, TokenScopes Scope)> Names =
        [("read", TokenScopes.Read), ("infer", TokenScopes.Infer), ("write", TokenScopes.Write), ("train", TokenScopes.Train), ("admin", TokenScopes.Admin)];

    /// <summary>The names of <paramref name="scopes"/>, in a fixed order.</summary>
    public static ImmutableArray<string> ToNames(this TokenScopes scopes) =>
        [.. Names.Where(pair => scopes.HasFlag(pair.Scope)).Select(pair => pair.Name)];

    /// <summary>The scopes that <paramref name="names"/> name; an unknown name is refused.</summary>
    public static TokenScopes Parse(IEnumerable<string> names)
    {
        TokenScopes scopes = TokenScopes.None;
        foreach (string name in names)
        {
            TokenScopes scope = Names.FirstOrDefault(pair => pair.Name == name).Scope;
            if (scope == TokenScopes.None)
            {
                throw new RequestException(RequestError.Malformed, $"scopes: unknown scope; use {string.Join(", ", Names.Select(pair => pair.Name))}.")
                {
                    Parameter = "scopes",
                };
            }
            scopes |= scope;
        }
        return scopes;
    }
}
