using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace TinyLlm.Cli.Credentials;

/// <summary>
/// The file <c>credentials.json</c>: the host that commands talk to by default, and a token per host. A token is only ever sent to the
/// address that it was saved for.
/// </summary>
internal sealed record SavedCredentials
{
    /// <summary>The address of the last login.</summary>
    public string? Url { get; init; }

    /// <summary>Tokens by address.</summary>
    public ImmutableSortedDictionary<string, string> Tokens { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
}

/// <summary>How the file is read and written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(SavedCredentials))]
internal sealed partial class SavedCredentialsJson : JsonSerializerContext;
