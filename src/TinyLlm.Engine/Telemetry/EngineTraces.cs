namespace TinyLlm.Engine;

/// <summary>The spans that a device's loop adds to a request's trace.</summary>
public static class EngineTraces
{
    /// <summary>The name of their source.</summary>
    public const string SourceName = "TinyLlm.Engine";

    internal const string Wait = "engine.wait", Prefill = "engine.prefill", Decode = "engine.decode";
}
