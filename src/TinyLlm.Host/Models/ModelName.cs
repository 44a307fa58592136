using System.Globalization;
using TinyLlm.Grains.Errors;
using TinyLlm.Storage;

namespace TinyLlm.Host.Models;

/// <summary>A model as a request names it: "model" (the caller's own), "owner/model" or "owner/model@version".</summary>
internal readonly record struct ModelName(string? Owner, string Model, int? Version)
{
    /// <summary>A name that can't be a model's is answered as a missing model is: there is none.</summary>
    public static ModelName Parse(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string? owner = slash < 0 ? null : text[..slash];
        string rest = text[(slash + 1)..];
        int at = rest.IndexOf('@', StringComparison.Ordinal);
        int? version = null;
        if (at >= 0)
        {
            if (!int.TryParse(rest.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number)) throw RequestException.NotFound("model");
            version = number;
            rest = rest[..at];
        }
        if ((owner is not null && !EntityName.TryParse(owner, out _)) || !EntityName.TryParse(rest, out _)) throw RequestException.NotFound("model");
        return new ModelName(owner, rest, version);
    }
}
