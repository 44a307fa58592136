using System.CommandLine;
using TinyLlm.Cli.Api;
using TinyLlm.Cli.Credentials;

namespace TinyLlm.Cli.Commands;

/// <summary>
/// Which host, and as whom. Address: <c>--url</c>, else <c>TINYLLM_URL</c>, else the last login's, else this machine's. Token:
/// <c>--token</c>, else <c>TINYLLM_TOKEN</c>, else the one that was saved for exactly that address.
/// </summary>
internal sealed class ConnectionOptions(CliContext context)
{
    /// <summary>Where <c>TinyLlm.Host</c> listens by itself.</summary>
    public const string DefaultUrl = "http://127.0.0.1:5080";

    public Option<string?> Url { get; } = new("--url")
    {
        Description = $"Address of the host (also TINYLLM_URL; by default that of the last login, or {DefaultUrl})",
        HelpName = "URL",
        Recursive = true,
    };

    public Option<string?> Token { get; } = new("--token")
    {
        Description = "Access token (also TINYLLM_TOKEN; by default the one of the last login at that address)",
        HelpName = "TOKEN",
        Recursive = true,
    };

    /// <summary>The host's address, with a slash at its end.</summary>
    public Uri Address(ParseResult parsed) =>
        ParseAddress(parsed.GetValue(Url) ?? NonEmpty(context.Variable("TINYLLM_URL")) ?? context.Credentials.Load().Url ?? DefaultUrl);

    /// <summary>The token that was given on the command line or in the environment, if one was.</summary>
    public string? GivenToken(ParseResult parsed) => NonEmpty(parsed.GetValue(Token)) ?? NonEmpty(context.Variable("TINYLLM_TOKEN"));

    /// <summary>A client with a token; it is an error to have none.</summary>
    public TinyLlmClient Connect(ParseResult parsed)
    {
        Uri address = Address(parsed);
        string token = GivenToken(parsed)
            ?? context.Credentials.Load().Tokens.GetValueOrDefault(Key(address))
            ?? throw new UsageException($"not logged in at {Key(address)}: run 'tinyllm login', or set TINYLLM_TOKEN");
        return new TinyLlmClient(address, CheckToken(token), context.Time);
    }

    /// <summary>Saves a token for an address, which becomes the default one.</summary>
    public void Save(Uri address, string token)
    {
        SavedCredentials saved = context.Credentials.Load();
        context.Credentials.Save(saved with { Url = Key(address), Tokens = saved.Tokens.SetItem(Key(address), token) });
    }

    /// <summary>How an address is written in the file and in messages: without the slash at its end.</summary>
    public static string Key(Uri address) => address.AbsoluteUri.TrimEnd('/');

    /// <summary>A token that can stand in a header; anything else is a mistake in copying.</summary>
    public static string CheckToken(string token)
    {
        string trimmed = token.Trim();
        return trimmed.Length > 0 && trimmed.All(c => c is > ' ' and <= '~')
            ? trimmed
            : throw new UsageException("the token is empty or has characters that no token has: copy it again");
    }

    private static Uri ParseAddress(string text)
    {
        bool valid = Uri.TryCreate(text, UriKind.Absolute, out Uri? address)
            && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            && address.UserInfo.Length == 0 && address.Query.Length == 0 && address.Fragment.Length == 0;
        if (!valid) throw new UsageException($"'{text}' is not the address of a host: write it like {DefaultUrl}");
        return new Uri(address!.AbsoluteUri.TrimEnd('/') + '/');
    }

    private static string? NonEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
