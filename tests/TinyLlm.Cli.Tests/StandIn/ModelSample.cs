namespace TinyLlm.Cli.Tests.StandIn;

/// <summary>Small folders in the layout of a model; the tool looks at their form alone.</summary>
internal static class ModelSample
{
    /// <summary>config.json, tokenizer.json and one weights file with a tensor of <paramref name="weightBytes"/> bytes.</summary>
    public static string Write(string folder, int weightBytes = 4096)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"model_type":"llama"}""");
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), "{}");
        WriteWeights(folder, "model.safetensors", "weight", weightBytes);
        return folder;
    }

    /// <summary>One SafeTensors file with one tensor of bytes that differ from each other.</summary>
    public static void WriteWeights(string folder, string file, string tensor, int bytes)
    {
        byte[] data = new byte[bytes];
        new Random(7).NextBytes(data);
        string header = $$$"""{"{{{tensor}}}":{"dtype":"U8","shape":[{{{bytes}}}],"data_offsets":[0,{{{bytes}}}]}}""";
        using BinaryWriter writer = new(File.Create(Path.Combine(folder, file)));
        writer.Write((ulong)header.Length);
        writer.Write(System.Text.Encoding.ASCII.GetBytes(header));
        writer.Write(data);
    }
}
