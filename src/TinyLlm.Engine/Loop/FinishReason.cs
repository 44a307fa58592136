namespace TinyLlm.Engine;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model chose a stop id.</summary>
    Stop,

    /// <summary>The requested number of tokens, or the model's context, is full.</summary>
    Length,

    /// <summary>Its caller no longer wants it.</summary>
    Cancelled,

    /// <summary>Nobody read its tokens for too long.</summary>
    SlowReader,

    /// <summary>The device failed, stopped, or had no room in time, or nothing can be made of the model's output. <see cref="GenerationEnd.Error"/> says which.</summary>
    Failed,
}
