namespace TinyLlm.Storage;

/// <summary>Where a secret came from.</summary>
public enum SecretOrigin
{
    /// <summary>It was made by this call.</summary>
    Created,

    /// <summary>It was there, readable by its owner alone.</summary>
    Existing,

    /// <summary>It was there, but other accounts may read its file: warn the operator.</summary>
    ExistingReadableByOthers,
}
