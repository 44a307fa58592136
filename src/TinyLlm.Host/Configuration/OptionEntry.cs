namespace TinyLlm.Host.Configuration;

/// <summary>One option that an operator may set.</summary>
/// <param name="Key">Its name in appsettings.json and on the command line; in the environment "__" stands for ":".</param>
/// <param name="Default">What it is when nobody sets it; empty: nothing.</param>
/// <param name="IsSecret">Whether its value is never shown.</param>
internal sealed record OptionEntry(string Key, string Default, bool IsSecret)
{
    /// <summary>Its name in the environment.</summary>
    public string EnvironmentName => Key.Replace(":", "__", StringComparison.Ordinal);
}
