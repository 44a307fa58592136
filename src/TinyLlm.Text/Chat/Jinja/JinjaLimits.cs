namespace TinyLlm.Text.Jinja;

/// <summary>The bounds on chat templates, which anyone may upload, and on what they do with a conversation.</summary>
internal static class JinjaLimits
{
    public const int MaxSourceChars = 64 << 10;

    /// <summary>Of blocks and brackets in the source, of macros calling each other, and of the data.</summary>
    public const int MaxDepth = 64;

    /// <summary>What decides. Creating text or lists costs a step for each <see cref="CharsPerStep"/> or <see cref="ItemsPerStep"/> besides.</summary>
    public const int MaxSteps = 100_000;

    public const int CharsPerStep = 64;

    public const int ItemsPerStep = 8;

    /// <summary>Of the prompt, and of any text on the way to it.</summary>
    public const int MaxOutputBytes = 256 << 10;

    /// <summary>The backstop, should the steps be misjudged.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromMilliseconds(100);
}
