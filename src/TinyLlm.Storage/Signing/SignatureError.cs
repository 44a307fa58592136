namespace TinyLlm.Storage;

/// <summary>Every way in which a model's signature can fail: the one closed set. The numbers travel between silos: never change one.</summary>
public enum SignatureError
{
    /// <summary>Not a Sigstore bundle with an in-toto statement of OpenSSF Model Signing v1.0.</summary>
    Malformed = 0,

    /// <summary>A signature of a kind that is not checked here: a certificate, keyless, an older format, shards, another hash.</summary>
    Unsupported = 1,

    /// <summary>The bundle names another key than those given.</summary>
    OtherKey = 2,

    /// <summary>The signature is not this key's over these bytes.</summary>
    NotAuthentic = 3,

    /// <summary>The statement contradicts itself: its root digest is not that of its files, or a file is listed twice.</summary>
    Inconsistent = 4,

    /// <summary>A signed file is not there.</summary>
    FileMissing = 5,

    /// <summary>A file is there that was not signed.</summary>
    FileNotSigned = 6,

    /// <summary>A file's bytes are not those that were signed.</summary>
    FileChanged = 7,

    /// <summary>The signature covers another manifest than the version's.</summary>
    OtherManifest = 8,
}
