namespace TinyLlm.Grains.Calls;

/// <summary>
/// A grain's method that may be called again by whoever can't know whether the first call arrived: it changes nothing, or nothing that outlives the
/// activation that the first call may have met, or a repeat after success changes nothing.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RepeatableAttribute : Attribute;
