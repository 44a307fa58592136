using TinyLlm.Grains.Models;
using TinyLlm.Text;

namespace TinyLlm.Grains.Residency;

/// <summary>Reads what makes text of a model's tokens: the tokenizer and the chat template, from the files that its manifest names.</summary>
internal static class ModelText
{
    private const string JsonFile = "tokenizer.json";
    private const string SentencePieceFile = "tokenizer.model";

    /// <summary>Bound of tokenizer.json and tokenizer.model; the largest public ones are under 40 MB.</summary>
    public const long MaxTokenizerBytes = 64L << 20;

    /// <summary>Bound of the small JSON files.</summary>
    public const long MaxConfigurationBytes = 4L << 20;

    /// <summary>The file that the tokenizer is read from: tokenizer.json says more, so it goes first.</summary>
    public static string TokenizerFile(IReadOnlySet<string> names) => names.Contains(SentencePieceFile) && !names.Contains(JsonFile) ? SentencePieceFile : JsonFile;

    public static async Task<Tokenizer> LoadTokenizerAsync(VersionFiles files, IReadOnlySet<string> names, CancellationToken cancellationToken)
    {
        string file = TokenizerFile(names);
        byte[] tokenizer = await files.ReadAsync(file, MaxTokenizerBytes, cancellationToken);
        byte[] config = await ReadOptionalAsync(files, names, "tokenizer_config.json", cancellationToken);
        return file == SentencePieceFile ? Tokenizer.LoadSentencePiece(tokenizer, config) : Tokenizer.Load(tokenizer, config);
    }

    /// <summary>The model's own template, or null when it has none.</summary>
    public static async Task<ChatTemplate?> LoadTemplateAsync(VersionFiles files, IReadOnlySet<string> names, CancellationToken cancellationToken)
    {
        byte[] config = await ReadOptionalAsync(files, names, "tokenizer_config.json", cancellationToken);
        byte[] jinja = await ReadOptionalAsync(files, names, "chat_template.jinja", cancellationToken);
        return ChatTemplate.Load(config, jinja.Length == 0 ? null : System.Text.Encoding.UTF8.GetString(jinja));
    }

    private static async Task<byte[]> ReadOptionalAsync(VersionFiles files, IReadOnlySet<string> names, string name, CancellationToken cancellationToken) =>
        names.Contains(name) ? await files.ReadAsync(name, MaxConfigurationBytes, cancellationToken) : [];
}
