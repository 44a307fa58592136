using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>
/// The bare name of a file that a model may have; the case counts. Either one of a closed list, or <c>*.safetensors</c> of at most
/// <see cref="MaxLength"/> characters A-Z, a-z, 0-9, '.', '_', '-' that does not begin with '.'. Which of them a model must have is the commit's question.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.ModelFileName")]
[JsonConverter(typeof(ParsableJsonConverter<ModelFileName>))]
public readonly record struct ModelFileName([property: Id(0)] string Value) : IParsable<ModelFileName>
{
    public const int MaxLength = 128;

    private const string WeightsSuffix = ".safetensors";

    private static readonly FrozenDictionary<string, ModelFileKind> Known = new Dictionary<string, ModelFileKind>(StringComparer.Ordinal)
    {
        ["config.json"] = ModelFileKind.Configuration,
        ["generation_config.json"] = ModelFileKind.Configuration,
        ["adapter_config.json"] = ModelFileKind.Configuration,
        ["model.safetensors.index.json"] = ModelFileKind.WeightsIndex,
        ["tokenizer.json"] = ModelFileKind.Tokenizer,
        ["tokenizer.model"] = ModelFileKind.Tokenizer,
        ["tokenizer_config.json"] = ModelFileKind.Tokenizer,
        ["special_tokens_map.json"] = ModelFileKind.Tokenizer,
        ["added_tokens.json"] = ModelFileKind.Tokenizer,
        ["vocab.json"] = ModelFileKind.Tokenizer,
        ["merges.txt"] = ModelFileKind.Tokenizer,
        ["chat_template.jinja"] = ModelFileKind.ChatTemplate,
        ["README.md"] = ModelFileKind.Readme,
        ["model.sig"] = ModelFileKind.Signature,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public ModelFileKind Kind => Known.TryGetValue(Value, out ModelFileKind kind) ? kind : ModelFileKind.Weights;

    /// <summary>The names of the closed list, in order; beside them any <c>*.safetensors</c>.</summary>
    public static IReadOnlyList<string> KnownNames { get; } = [.. Known.Keys.Order(StringComparer.Ordinal)];

    public static ModelFileName Parse(string text) =>
        TryParse(text, out ModelFileName name) ? name : throw new FormatException("not the name of a model's file");

    public static ModelFileName Parse(string s, IFormatProvider? provider) => Parse(s);

    public static bool TryParse([NotNullWhen(true)] string? text, out ModelFileName name)
    {
        bool valid = text is { Length: <= MaxLength } && (Known.ContainsKey(text) || IsWeights(text));
        name = valid ? new ModelFileName(text!) : default;
        return valid;
    }

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out ModelFileName result) => TryParse(s, out result);

    public override string ToString() => Value;

    private static bool IsWeights(string text) =>
        text.Length > WeightsSuffix.Length && text.EndsWith(WeightsSuffix, StringComparison.Ordinal) && text[0] != '.' && PathPart.IsSafe(text);
}
