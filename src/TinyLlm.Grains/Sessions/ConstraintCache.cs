using System.Security.Cryptography;
using System.Text;
using TinyLlm.Grains.Errors;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// One resident model's compiled schemas, by caller and schema: a caller can't learn from the time it takes which schemas others use. Lives as long as the
/// model is resident. Thread-safe.
/// </summary>
internal sealed class ConstraintCache(Tokenizer tokenizer)
{
    // A compiled schema takes up to some megabytes; the masks are the vocabulary's own and bounded there.
    private const int MaxSchemas = 64;

    private readonly Lazy<ConstraintVocabulary> _vocabulary = new(() => new ConstraintVocabulary(tokenizer));
    private readonly Dictionary<string, OutputConstraint> _constraints = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>The constraint of a schema. A refusal names the place in it.</summary>
    public OutputConstraint Get(string caller, string schema)
    {
        string key = $"{caller} {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(schema)))}";
        lock (_lock)
        {
            if (_constraints.TryGetValue(key, out OutputConstraint? known)) return known;
        }
        OutputConstraint made = Make(schema);
        lock (_lock)
        {
            if (_constraints.Count >= MaxSchemas) _constraints.Clear();
            _constraints[key] = made;
        }
        return made;
    }

    private OutputConstraint Make(string schema)
    {
        try
        {
            OutputConstraint made = new(_vocabulary.Value, JsonGrammar.Compile(Encoding.UTF8.GetBytes(schema)));
            if (made.Begin().Mask(new ulong[(_vocabulary.Value.Size + 63) / 64])) return made;
        }
        catch (SchemaException refusal)
        {
            throw new RequestException(RequestError.Malformed, $"response_format: {refusal.Message}.")
            {
                Parameter = "response_format",
                Detail = $"schema_{WireCode.Of(refusal.Error)}",
            };
        }
        throw new RequestException(RequestError.Malformed, "response_format: this model's tokenizer can't write JSON: leave it out.") { Parameter = "response_format" };
    }
}
