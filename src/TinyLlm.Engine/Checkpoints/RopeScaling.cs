namespace TinyLlm.Engine;

/// <summary>How rotary frequencies are changed for contexts longer than the trained one. Names and meaning: Hugging Face transformers.</summary>
public enum RopeScaling
{
    /// <summary>Not at all.</summary>
    Default,

    /// <summary>Every frequency divided by the factor.</summary>
    Linear,

    /// <summary>Low frequencies divided by the factor, high ones kept, a smooth passage between (Llama 3.1).</summary>
    Llama3,
}
