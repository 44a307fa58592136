namespace TinyLlm.Grains.Users;

/// <summary>The host's own keys, as far as others may use or know them. One grain, on a core silo, because no other silo holds them.</summary>
[Alias("tinyllm.IHostKeysGrain")]
public interface IHostKeysGrain : IGrainWithStringKey
{
    /// <summary>The one key.</summary>
    const string Key = "host";

    /// <summary>The public key of the host's signatures, as PEM.</summary>
    [Alias("GetSigningKey")]
    Task<string> GetSigningKey();

    /// <summary>
    /// Makes the host a new key, rewraps every user's key with it and then destroys the old one. Answers how many were rewrapped. After a failure
    /// all keys that are needed are there, and a repeat ends what was begun.
    /// </summary>
    [Alias("Rotate")]
    [ResponseTimeout("00:10:00")]
    Task<int> Rotate();
}
