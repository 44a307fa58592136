namespace TinyLlm.Engine;

/// <summary>Why a folder is no model that the engine can run. Closed: one member per rule.</summary>
public enum ModelFormatError
{
    /// <summary>A file that every model has is not there.</summary>
    MissingFile,

    /// <summary>A file is larger than any real one of its kind.</summary>
    FileTooLarge,

    /// <summary>A file that must be a JSON object is not, repeats a name, or nests too deep.</summary>
    NotJson,

    /// <summary><c>architectures</c> names none that the engine knows.</summary>
    UnknownArchitecture,

    /// <summary>A field of the configuration that has no default is not there.</summary>
    MissingField,

    /// <summary>A field has the wrong JSON type.</summary>
    BadField,

    /// <summary>A number is outside of its bounds.</summary>
    FieldOutOfRange,

    /// <summary>Two fields contradict each other.</summary>
    FieldsDisagree,

    /// <summary>A field asks for something that the engine would have to ignore.</summary>
    UnsupportedField,

    /// <summary>A tensor that the architecture needs is in no file.</summary>
    MissingTensor,

    /// <summary>A file holds a tensor that the architecture has no use for.</summary>
    UnexpectedTensor,

    /// <summary>Two files hold a tensor of the same name.</summary>
    DuplicateTensor,

    /// <summary>A tensor's shape is not the one that the configuration implies.</summary>
    WrongTensorShape,

    /// <summary>A tensor's elements are not F32, F16 or BF16.</summary>
    WrongTensorDType,
}
