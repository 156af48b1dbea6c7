"""Import names and the distributions that provide them: a curated table, and never a guess.

A module and a distribution of the same name can belong to different people, and installing the wrong one runs a
stranger's code. So a name that is not in these tables has no answer here.
"""

from __future__ import annotations

# Import name → distribution, where the two differ by more than spelling.
_DIFFERENT = {
    "Bio": "biopython",
    "Cryptodome": "pycryptodomex",
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenGL": "PyOpenGL",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "Xlib": "python-xlib",
    "attr": "attrs",
    "bidi": "python-bidi",
    "bs4": "beautifulsoup4",
    "cairo": "pycairo",
    "community": "python-louvain",
    "cpuinfo": "py-cpuinfo",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "discord": "discord.py",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "ee": "earthengine-api",
    "faiss": "faiss-cpu",
    "feather": "feather-format",
    "ffmpeg": "ffmpeg-python",
    "fitz": "PyMuPDF",
    "gi": "PyGObject",
    "git": "GitPython",
    "github": "PyGithub",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "google.generativeai": "google-generativeai",
    "google.protobuf": "protobuf",
    "googleapiclient": "google-api-python-client",
    "ibis": "ibis-framework",
    "imblearn": "imbalanced-learn",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "memcache": "python-memcached",
    "mpl_toolkits": "matplotlib",
    "mpl_toolkits.basemap": "basemap",
    "nacl": "PyNaCl",
    "odf": "odfpy",
    "osgeo": "GDAL",
    "paho": "paho-mqtt",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pylab": "matplotlib",
    "pyro": "pyro-ppl",
    "pythoncom": "pywin32",
    "pywt": "PyWavelets",
    "rest_framework": "djangorestframework",
    "ruamel": "ruamel.yaml",
    "ruamel.yaml": "ruamel.yaml",
    "serial": "pyserial",
    "shapefile": "pyshp",
    "skbio": "scikit-bio",
    "skfda": "scikit-fda",
    "skfuzzy": "scikit-fuzzy",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "sklearn_extra": "scikit-learn-extra",
    "skopt": "scikit-optimize",
    "sksurv": "scikit-survival",
    "slugify": "python-slugify",
    "socks": "PySocks",
    "speech_recognition": "SpeechRecognition",
    "talib": "TA-Lib",
    "telegram": "python-telegram-bot",
    "tlz": "toolz",
    "umap": "umap-learn",
    "usb": "pyusb",
    "vlc": "python-vlc",
    "webview": "pywebview",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "win32con": "pywin32",
    "win32gui": "pywin32",
    "wx": "wxPython",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}

# Modules whose distribution has the same name, apart from `_` for `-` and capitals.
_SAME_NAMES = """
    adjustText aiohttp altair altair_saver anndata anthropic anyio arch arviz ase astropy attrs autograd bambi black
    blinker bokeh boto3 botocore bottleneck branca cachetools cartopy catboost causalml celery census certifi cffi
    chardet click cloudpickle cobra colorama colorcet confluent_kafka contextily convertdate corner cryptography
    cvxopt cvxpy cycler Cython dash dask dataclasses_json datasets datasette datashader dbfread decorator deepdiff
    deltalake dill distributed django docx2txt doubleml dtreeviz duckdb econml editdistance einops emcee empiricaldist
    evaluate fabric faker fastapi fastparquet feedparser filelock fiona flask flask_cors flax folium formulaic fsspec
    fuzzywuzzy geemap gensim geodatasets geopandas geoplot geopy ggplot gradio graphviz great_tables gspread h2o h5py
    haversine hdbscan hmmlearn holidays holoviews html5lib httpx huggingface_hub hvplot igraph imageio img2pdf inflect
    interpret ipykernel ipyleaflet ipympl IPython ipywidgets itables jax jieba jinja2 joblib jsonschema jupyter
    kagglehub kaleido keras langchain lets_plot Levenshtein librosa lifelines lifetimes lightgbm lightning lime
    linearmodels llvmlite lmfit loguru lxml mapclassify marimo markdown matplotlib matplotlib_inline MDAnalysis mdtraj
    mesa missingno mistune mizani mlflow mlxtend modin momepy more_itertools moviepy mpmath msgpack music21 mypy
    narwhals nbclient nbconvert nbformat netCDF4 networkx nibabel nilearn nltk numba numexpr numpy numpyro onnx
    onnxruntime openai openpyxl optuna orjson osmnx packaging palettable palmerpenguins pandas pandas_datareader
    pandera panel papermill paramiko patsy peewee peft pexpect pingouin plotly plotnine pmdarima polars pooch
    portalocker prettytable prophet psutil psycopg pulp pvlib pyarrow pycaret pycountry pycountry_convert pydantic
    pydantic_settings pydeck pydot pyfixest pygame pygments pyLDAvis pymatgen pymc pymongo pymysql pyodbc pyogrio
    pyparsing pypdf PyPDF2 pyproj PyQt5 PyQt6 pyreadr pyreadstat pysal pysam pyspark pytest pytz pyvis pyvista qgrid
    qrcode quantecon rapidfuzz rasterio rdkit redis regex reportlab requests rich rioxarray rpy2 s3fs sacrebleu scanpy
    scikit_posthocs scipy scrapy seaborn selenium semopy sentence_transformers sentencepiece shap shapely shiny
    skforecast skops skrub sktime spacy sqlalchemy squarify stargazer statsforecast statsmodels streamlit sweetviz
    sympy tables tabulate tenacity tensorflow tensorflow_datasets tensorflow_probability termcolor textblob
    textdistance textstat thefuzz tiktoken timm tokenizers tomli tomlkit toolz torch torchaudio torchmetrics
    torchvision tornado tqdm traitlets transformers trimesh tsfresh ujson unidecode urllib3 uvicorn vaderSentiment
    vega_datasets vtk wandb wbgapi websockets wordcloud xarray xgboost xlrd xlsxwriter xlwings xlwt ydata_profiling
    yellowbrick yfinance zarr
"""
_SAME = frozenset(_SAME_NAMES.split())

# Standard modules that newer Pythons have dropped, under the version that did.
_DROPPED_NAMES = {
    "3.10": "binhex formatter parser symbol",
    "3.12": "asynchat asyncore distutils imp smtpd",
    "3.13": "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr"
    " spwd sunau telnetlib uu xdrlib",
}
_DROPPED = {module: version for version, modules in _DROPPED_NAMES.items() for module in modules.split()}

# Standard modules that a system's Python may come without.
_LEFT_OUT_NAMES = """
    tkinter _tkinter turtle idlelib sqlite3 _sqlite3 lzma _lzma bz2 _bz2 curses _curses readline dbm _ctypes ensurepip
    venv
"""
_LEFT_OUT = frozenset(_LEFT_OUT_NAMES.split())

# Names of Python 2 modules, with what took their place.
_RENAMED = {
    "ConfigParser": "configparser",
    "Queue": "queue",
    "StringIO": "io",
    "Tkinter": "tkinter",
    "cPickle": "pickle",
    "commands": "subprocess",
    "httplib": "http.client",
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
}


def distribution_for(module: str) -> str | None:
    """The distribution that provides the module (dotted names included), or None where none is known for certain."""
    parts = module.strip().split(".")
    for length in range(len(parts), 0, -1):
        found = _DIFFERENT.get(".".join(parts[:length]))
        if found is not None:
            return found
    return parts[0].replace("_", "-") if parts[0] in _SAME else None


def hint_for_module(module: str) -> str:
    """One sentence on how to come by the module: the line to add, or where it went, or how to look for it."""
    top = module.strip().split(".")[0]
    if top in _DROPPED:
        return (
            f"`{top}` left Python's standard library in {_DROPPED[top]}; use a newer version of the code that needs it."
        )
    if top in _LEFT_OUT:
        return (
            f"`{top}` belongs to Python's standard library, but does not come with this Python; it cannot be declared."
        )
    if top in _RENAMED:
        return f"`{top}` is a name of Python 2; in Python 3 it is `{_RENAMED[top]}`."
    distribution = distribution_for(module)
    if distribution is not None:
        return f"Add the line `{distribution}` to `requirements.txt`."
    return (
        f"Find the package that provides `{top}` on the index and add its name to `requirements.txt`; "
        "it may differ from the import name."
    )
