using TinyLlm.Tests;

namespace TinyLlm.Text.Tests;

/// <summary>Loads tokenizers from the reference data; a test that asks for an absent one is skipped.</summary>
internal static class ReferenceTokenizers
{
    public static Tokenizer Load(string folder)
    {
        byte[] tokenizer = File.ReadAllBytes(TestData.Require(folder + "/tokenizer.json"));
        string config = Path.Combine(Path.GetDirectoryName(TestData.Require(folder + "/tokenizer.json"))!, "tokenizer_config.json");
        return Tokenizer.Load(tokenizer, File.Exists(config) ? File.ReadAllBytes(config) : []);
    }

    public static Tokenizer Stories() => Load("models/stories260K");
}
