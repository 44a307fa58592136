namespace TinyLlm.Engine;

/// <summary>How rotary frequencies are changed for contexts longer than the trained one. Names and meaning: Hugging Face transformers.</summary>
public enum RopeScaling
{
    /// <summary>Not at all.</summary>
    Default,

    /// <summary>Every frequency divided by the factor.</summary>
    Linear,

    /// <summary>
    /// The base grows with the position once it passes the trained context (NTK by parts, bloc97 2023). Each token keeps the base of the
    /// length at which it was read, as decoding token by token does.
    /// </summary>
    Dynamic,

    /// <summary>Low frequencies divided by the factor, high ones kept, a smooth passage between (Llama 3.1).</summary>
    Llama3,

    /// <summary>The same by the number of turns within the trained context, and attention made sharper (Peng et al., 2023).</summary>
    Yarn,

    /// <summary>Each frequency divided by a factor of its own (LongRoPE, Ding et al., 2024).</summary>
    PerPair,
}
