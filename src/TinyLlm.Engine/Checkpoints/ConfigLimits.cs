namespace TinyLlm.Engine;

/// <summary>Bounds of config.json: each some ten times beyond the largest released model, so that sizes derived from them fit 64 bits.</summary>
internal static class ConfigLimits
{
    public const int Width = 1 << 17, Intermediate = 1 << 20, Layers = 1024, Heads = 1024, HeadSize = 1024;
    public const int Vocabulary = 1 << 21, Context = 1 << 24;
}
