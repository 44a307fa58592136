using TinyLlm.Text;

namespace TinyLlm.Cli.Offline;

/// <summary>A tokenizer or a chat template from local files, laid out as Hugging Face does.</summary>
internal static class TokenizerFiles
{
    // The engine's bound of a tokenizer; nothing larger is read into memory.
    private const long MaxFileBytes = 64L << 20;

    private const string Json = "tokenizer.json", SentencePiece = "tokenizer.model", Config = "tokenizer_config.json", Template = "chat_template.jinja";

    /// <summary>The tokenizer of a folder, or of its file; tokenizer_config.json is read where it lies beside it.</summary>
    public static Tokenizer LoadTokenizer(string path)
    {
        string file = Directory.Exists(path) ? FindIn(path) : path;
        byte[] tokenizer = Read(file), config = ReadOptional(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, Config)); // a file lies in a folder
        try
        {
            return file.EndsWith(".model", StringComparison.Ordinal) ? Tokenizer.LoadSentencePiece(tokenizer, config) : Tokenizer.Load(tokenizer, config);
        }
        catch (TokenizerFormatException exception)
        {
            throw new UsageException($"{file} is no tokenizer that tinyllm can use: {exception.Message}");
        }
    }

    /// <summary>A model folder's chat template; the plain one when it has none.</summary>
    public static ChatTemplate LoadTemplate(string folder)
    {
        if (!Directory.Exists(folder)) throw new UsageException($"there is no folder '{folder}'");
        string template = Path.Combine(folder, Template);
        try
        {
            return ChatTemplate.Load(ReadOptional(Path.Combine(folder, Config)), File.Exists(template) ? System.Text.Encoding.UTF8.GetString(Read(template)) : null) ?? ChatTemplate.Plain;
        }
        catch (Exception exception) when (exception is TokenizerFormatException or ChatTemplateException)
        {
            throw new UsageException($"the chat template of '{folder}' can't be used: {exception.Message}");
        }
    }

    private static string FindIn(string folder)
    {
        foreach (string name in (ReadOnlySpan<string>)[Json, SentencePiece])
        {
            if (File.Exists(Path.Combine(folder, name))) return Path.Combine(folder, name);
        }
        throw new UsageException($"'{folder}' has neither {Json} nor {SentencePiece}");
    }

    private static byte[] Read(string file)
    {
        if (!File.Exists(file)) throw new UsageException($"there is no file '{file}'");
        long length = new FileInfo(file).Length;
        if (length > MaxFileBytes) throw new UsageException($"{file} has {length} bytes, and a tokenizer's file has at most {MaxFileBytes}");
        return File.ReadAllBytes(file);
    }

    private static byte[] ReadOptional(string file) => File.Exists(file) ? Read(file) : [];
}
